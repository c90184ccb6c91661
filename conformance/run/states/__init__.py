"""How states are brought about and observed: by the service's own calls, an HTTP hook, a command, or a pool of ids."""
