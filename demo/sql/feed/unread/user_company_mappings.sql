{# When the contact was last there. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  feed_rows.changed_at AS last_accessed_at,
{% endblock %}
