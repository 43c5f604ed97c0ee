"""The bridge between Asterisk and people: call model, queue dispatcher, screen pop, websocket hub, call control."""
