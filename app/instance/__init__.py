"""An instance as a whole: what must be there before it starts, how it starts, and what it tells a person then."""
