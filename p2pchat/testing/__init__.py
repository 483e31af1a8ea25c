"""What others need to test what they build on p2pchat: contracts to pass, and a world to run in. Shipped and public."""
