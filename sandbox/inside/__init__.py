"""What runs inside the sandbox's own virtual environment, beside Frappe."""
