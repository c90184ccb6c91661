"""The web page of the store: read only, no build step, whole without JavaScript."""
