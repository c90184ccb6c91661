"""The words of the harness as frozen values: what a contract says, what is sent, what must hold, what came out."""
