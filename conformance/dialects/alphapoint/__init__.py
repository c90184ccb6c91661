"""AlphaPoint's protocol: sessions on two transports, and states made by its own calls."""
