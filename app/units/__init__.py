"""The network of units that handle matters: centre, districts and bureaus, units below them, neighbours (C3, K2)."""
