"""Outside systems (a city's own CRM, a desktop of its own): who they are to the hotline, and what they may do."""
