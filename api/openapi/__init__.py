"""The contract as a document: OpenAPI 3.1 made from the types that decode requests, and a page to show it."""
