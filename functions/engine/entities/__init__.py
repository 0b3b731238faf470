"""What is known of a card, device, IP address, network, merchant and payee across users: bounded state that folds history rows."""
