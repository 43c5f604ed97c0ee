"""The queues' rules as a file that supervisors keep: read, checked, and watched."""
