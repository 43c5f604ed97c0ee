"""The voice menu in the office: looked at as a picture, edited, tried, published by versions, taken back."""
