{# A company that has tags gets a further one. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import another with context %}
{% block changes %}
  {{ new.taggings }} + feed_rows.change_number AS id,
  {{ another('feed_rows.tag_id', 'tag', highest.tags) }} AS tag_id,
  1 AS status,
  feed_rows.changed_at AS created_at,
{% endblock %}
{% block condition %}newest.taggable_type = 'Company'{% endblock %}
