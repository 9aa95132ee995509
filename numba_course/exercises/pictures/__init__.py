"""Pictures that chapters draw of the learner's own objects: a module for each chapter, or for what is drawn."""
