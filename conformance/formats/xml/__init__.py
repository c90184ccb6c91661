"""DataContract XML along its XSD: bytes to values, values to bytes, and what the XSD says."""
