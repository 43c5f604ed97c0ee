"""Keeps an instance's processes running: starts them, restarts what dies or freezes, adopts what outlived it."""
