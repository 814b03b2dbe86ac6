-- Drops tables that exist.
-- Names: relations.
DROP TABLE IF EXISTS {% for relation in relations %}{{ relation | name }}{{ "" if loop.last else ", " }}{% endfor %}
