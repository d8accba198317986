"""What an export says about itself: tables, pages and plots."""
