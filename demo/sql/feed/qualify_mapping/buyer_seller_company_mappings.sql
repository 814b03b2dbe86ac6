{# A mapping of the client comes to qualify. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import another_inviter with context %}
{% block changes %}
  CASE WHEN feed_rows.status IN (1, 2, 7) THEN feed_rows.status ELSE 1 END AS status,
  CASE WHEN feed_rows.source IN (0, 1) THEN feed_rows.source ELSE 0 END AS source,
  COALESCE(feed_rows.invited_by, {{ another_inviter('feed_rows.invited_by', 'inviter') }}) AS invited_by,
{% endblock %}
{% block condition %}
newest.client_company_id = {{ client }}
      AND (newest.status NOT IN (1, 2, 7) OR COALESCE(newest.source, 2) NOT IN (0, 1) OR (newest.invited_by IS NULL))
{% endblock %}
