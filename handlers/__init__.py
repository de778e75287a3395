"""What others start. Three moves each: acknowledge the request, call one procedure, show the outcome."""
