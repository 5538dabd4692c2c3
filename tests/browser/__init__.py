"""PharmQ in a browser."""
