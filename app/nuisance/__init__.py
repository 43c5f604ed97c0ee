"""What is done about callers who misuse the hotline: by whom, why, until when (骚扰来电规则)."""
