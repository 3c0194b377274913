"""What recorded exchanges say about each row of the catalogues, by the rules that judge live traffic."""
