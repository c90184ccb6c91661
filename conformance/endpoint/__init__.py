"""Which endpoint, as which roles, what may be touched, and how a state is set up."""
