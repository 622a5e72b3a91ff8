"""What an app may count on in every lane, and below what each lane alone promises."""
