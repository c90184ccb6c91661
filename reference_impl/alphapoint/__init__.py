"""The AlphaPoint gateway: CancelAllOrders, CancelQuote and the calls around them, over HTTP and WebSocket."""
