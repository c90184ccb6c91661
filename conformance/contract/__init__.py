"""From files under a specs folder to a contract: loading, and compiled validators."""
