{{ config(materialized='view', alias='all_readers') }}
-- Members who may borrow; accounts of the staff count in tests alone.
SELECT
  members.member_no,
  members.name,
  members.town,
  members.joined_on
FROM {{ source('desk', 'members') }} AS members
{%- if target.name == 'prod' %}
WHERE
  members.kind <> 'staff'
{%- endif %}
