"""What a vendor's protocol brings beyond its contract: sign-in, sessions, and the calls that set up, observe and clean up."""
