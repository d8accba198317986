"""Labelled face data: one file a data set, each giving aligned crops with occurrence labels and their mask."""
