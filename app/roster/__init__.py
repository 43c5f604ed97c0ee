"""Who is on duty on which day, the leader behind them, what is handed over, and seats that are empty."""
