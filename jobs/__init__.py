"""What time starts. Three moves each, like the handlers: claim the due time, call one procedure, record the outcome."""
