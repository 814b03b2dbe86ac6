{# The client invites the new company. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import another_inviter, digits with context %}
{% block changes %}
  {{ new.buyer_seller_company_mappings }} + feed_rows.change_number AS id,
  {{ new.companies }} + feed_rows.change_number AS dealing_with_company_id,
  1 AS status,
  'V' || {{ digits('vendor_code', 7) }} AS vendor_code,
  {{ another_inviter('feed_rows.invited_by', 'inviter') }} AS invited_by,
  '{}' AS meta_data,
  feed_rows.changed_at AS created_at,
{% endblock %}
{% block condition %}
newest.client_company_id = {{ client }}
      AND newest.status IN (1, 2, 7)
      AND newest.source IN (0, 1)
      AND newest.invited_by IS NOT NULL
{% endblock %}
