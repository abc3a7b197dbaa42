"""What people read: tables, comparisons, explanations."""
