"""Faces: they show what a node tells them and call its few verbs; nothing in a node knows them."""
