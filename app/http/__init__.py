"""The HTTP surface that all capabilities share: who asks, errors, headers, pages, files."""
