"""What every detector says: findings, their evidence, their money and their exports."""
