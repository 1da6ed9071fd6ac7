"""What a run looks like in a browser: the Allure report, and beside it one page with every clause. All static files."""
