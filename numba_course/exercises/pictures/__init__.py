"""Pictures that chapters draw of the learner's own objects: a module for each chapter that has some."""
