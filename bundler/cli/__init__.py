"""How is it asked, and how is it told? The only click, the only exit."""
