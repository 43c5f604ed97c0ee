"""What the tests and measurements of the queue engine share: a laboratory with its own time, and what must hold."""
