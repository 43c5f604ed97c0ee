"""What Asterisk does by itself: configuration rendered per instance, and a dialplan that is a failsafe of its own."""
