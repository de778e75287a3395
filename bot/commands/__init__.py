"""One file per `socmon` command; each is imported only when it runs."""
