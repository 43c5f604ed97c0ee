"""The `hotline` command. Modules here read arguments and print; what they do is elsewhere and imported when needed."""
