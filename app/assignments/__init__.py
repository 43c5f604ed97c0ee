"""What a case asks of units: who has it, until when, what came of it, and who judged that."""
