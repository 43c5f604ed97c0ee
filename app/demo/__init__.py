"""The demo's page inside the hotline: it shows the simulated city and passes its button on. Off unless `make demo`."""
