"""Who is needed at the telephones, who was there, and what came: by half-hour."""
