"""What people read: tables, drawings, comparisons, explanations."""
