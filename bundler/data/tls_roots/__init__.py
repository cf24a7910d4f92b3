"""Root certificates for TLS that not every trust store has, and the hosts for which this program needs one of them."""
