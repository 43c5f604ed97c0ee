"""What people and units are told: in their web inbox always, by e-mail and SMS where an office has set them up."""
