{# The contact acts for a company that has others already. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  {{ new.user_company_mappings }} + feed_rows.change_number AS id,
  {{ new.users }} + feed_rows.change_number AS user_id,
  1 AS status,
  FALSE AS is_primary,
  feed_rows.changed_at AS created_at,
{% endblock %}
