"""What the engine claims of the service where AWS documents it; docs/engine.md lists it. Runs against AWS, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from engine.app_instances import AWS_IDENTITY_LAG, AppInstanceUnderTest, code_of, message, token


def test_create_channel_answers_201_with_an_arn_that_ends_in_its_id(app_instance: AppInstanceUnderTest) -> None:
    """A channel's ARN ends in its ChannelId; creation answers 201."""
    made = app_instance.messaging.create_channel(
        AppInstanceArn=app_instance.app,
        ChannelId="a:b@c",
        Name="n",
        Metadata="m",
        Mode="UNRESTRICTED",
        Privacy="PUBLIC",
        ClientRequestToken=token(),
        ChimeBearer=app_instance.boss,
    )
    assert made["ChannelArn"] == f"{app_instance.app}/channel/a:b@c"
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    shown = app_instance.settled(made["ChannelArn"])
    assert (shown["Name"], shown["Metadata"], shown["Mode"], shown["Privacy"]) == (
        "n",
        "m",
        "UNRESTRICTED",
        "PUBLIC",
    )
    assert shown["CreatedBy"] == {"Arn": app_instance.boss, "Name": "boss"}
    assert len(app_instance.channel().rpartition("/")[2]) == 36


WRONG: dict[str, dict[str, Any]] = {
    "name": {"Name": "n" * 257},
    "mode": {"Mode": "OPEN"},
    "token": {"ClientRequestToken": "a b"},
    "metadata": {"Metadata": "é" * 1000},
    "bearer": {"ChimeBearer": "nobody"},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_breaks_a_rule_of_the_model_is_a_bad_request(app_instance: AppInstanceUnderTest, case: str) -> None:
    """What breaks a rule of botocore's model is refused with a 400."""
    given = {"Name": "n", "ClientRequestToken": token(), "ChimeBearer": app_instance.boss, **WRONG[case]}
    with pytest.raises(ClientError) as caught:
        app_instance.messaging.create_channel(AppInstanceArn=app_instance.app, **given)
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("BadRequestException", 400)


def test_lists_come_in_pages_of_max_results(app_instance: AppInstanceUnderTest) -> None:
    """Lists come in pages of MaxResults."""
    for number in range(5):
        app_instance.user(f"u{number}")
    pages: list[list[str]] = []
    more: dict[str, str] = {}
    while True:
        page = app_instance.identity.list_app_instance_users(AppInstanceArn=app_instance.app, MaxResults=2, **more)
        pages.append([user["AppInstanceUserArn"].rpartition("/")[2] for user in page["AppInstanceUsers"]])
        if not page.get("NextToken"):
            break
        more = {"NextToken": page["NextToken"]}
    assert all(len(page) <= 2 for page in pages)
    assert sorted(name for page in pages for name in page) == ["boss", "u0", "u1", "u2", "u3", "u4"]


def test_channel_id_in_use_is_a_conflict(app_instance: AppInstanceUnderTest) -> None:
    """A ChannelId in use is a Conflict."""
    app_instance.channel(ChannelId="lobby")
    again = {
        "AppInstanceArn": app_instance.app,
        "ChannelId": "lobby",
        "Name": "n",
        "ChimeBearer": app_instance.boss,
    }
    assert code_of(app_instance.messaging.create_channel, **again, ClientRequestToken=token()) == "Conflict"


def test_creator_is_member_and_moderator(app_instance: AppInstanceUnderTest) -> None:
    """Who creates a channel is its member and moderator."""
    arn = app_instance.channel()
    assert app_instance.moderators(arn) == {"boss"}
    assert app_instance.members(arn) == {"boss"}


def test_metadata_holds_1024_bytes_of_utf_8(app_instance: AppInstanceUnderTest) -> None:
    """Metadata holds 1024 bytes as UTF-8, not characters."""
    arn = app_instance.channel(Metadata="é" * 512)
    update = {"ChannelArn": arn, "ChimeBearer": app_instance.boss, "Name": "n", "Mode": "RESTRICTED"}
    assert code_of(app_instance.messaging.update_channel, **update, Metadata="é" * 513) == "BadRequest"


def test_delete_channel_answers_204_and_is_for_good(app_instance: AppInstanceUnderTest) -> None:
    """A channel is deleted at once and for good, and deletion answers 204."""
    arn = app_instance.channel()
    gone = app_instance.messaging.delete_channel(ChannelArn=arn, ChimeBearer=app_instance.boss)
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert code_of(app_instance.messaging.describe_channel, ChannelArn=arn, ChimeBearer=app_instance.boss)


def test_resource_has_at_most_fifty_tags_and_they_take_no_bearer(app_instance: AppInstanceUnderTest) -> None:
    """Tags take no bearer; a resource has at most fifty."""
    arn = app_instance.channel(Tags=[{"Key": "a", "Value": "1"}])
    app_instance.messaging.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    app_instance.messaging.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert app_instance.messaging.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    assert code_of(app_instance.messaging.tag_resource, ResourceARN=arn, Tags=many) in (
        "BadRequest",
        "ResourceLimitExceeded",
    )


def test_batch_answers_200_and_names_those_that_failed(app_instance: AppInstanceUnderTest) -> None:
    """A batch answers 200 and names the members that failed; those that can be added are."""
    ann, ghost = app_instance.user("ann"), f"{app_instance.app}/user/ghost"
    arn = app_instance.channel()
    answer = app_instance.messaging.batch_create_channel_membership(
        ChannelArn=arn, MemberArns=[ann, ghost], ChimeBearer=app_instance.boss
    )
    assert [one["MemberArn"] for one in answer["Errors"]] == [ghost]
    assert app_instance.members(arn) == {"boss", "ann"}


def test_hidden_members_are_listed_only_when_asked_for(app_instance: AppInstanceUnderTest) -> None:
    """HIDDEN members are listed only when asked for."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    app_instance.messaging.create_channel_membership(
        ChannelArn=arn, MemberArn=ann, Type="HIDDEN", ChimeBearer=app_instance.boss
    )
    assert (app_instance.members(arn), app_instance.members(arn, "HIDDEN")) == ({"boss"}, {"ann"})


def test_ban_ends_the_membership_and_forbids_another(app_instance: AppInstanceUnderTest) -> None:
    """A ban ends the membership and forbids another until it is lifted; a second one is a Conflict."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(MemberArns=[ann])
    here = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_ban(**here, MemberArn=ann)
    assert app_instance.members(arn) == {"boss"}
    assert code_of(app_instance.messaging.create_channel_ban, **here, MemberArn=ann) == "Conflict"
    member = {**here, "MemberArn": ann, "Type": "DEFAULT"}
    assert code_of(app_instance.messaging.create_channel_membership, **member)
    app_instance.messaging.delete_channel_ban(**here, MemberArn=ann)
    app_instance.messaging.create_channel_membership(**member)
    assert app_instance.members(arn) == {"boss", "ann"}


def test_strangers_see_nothing_members_read_moderators_manage(app_instance: AppInstanceUnderTest) -> None:
    """Strangers see nothing of it, members read, moderators manage, and who adds members depends on the mode."""
    ann, bob, eve = (app_instance.user(name) for name in ("ann", "bob", "eve"))
    arn = app_instance.channel(MemberArns=[ann])
    app_instance.messaging.create_channel_moderator(
        ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=app_instance.boss
    )
    rename = {"ChannelArn": arn, "Name": "n", "Mode": "RESTRICTED"}
    add = {"ChannelArn": arn, "MemberArn": eve, "Type": "DEFAULT"}
    describe, update = app_instance.messaging.describe_channel, app_instance.messaging.update_channel
    assert code_of(describe, ChannelArn=arn, ChimeBearer=eve) in ("Forbidden", "NotFound")
    assert [code_of(describe, ChannelArn=arn, ChimeBearer=who) for who in (ann, bob)] == ["", ""]
    assert [code_of(update, **rename, ChimeBearer=who) for who in (ann, bob, app_instance.boss)] == [
        "Forbidden",
        "",
        "",
    ]
    assert code_of(app_instance.messaging.create_channel_membership, **add, ChimeBearer=ann) == "Forbidden"
    app_instance.messaging.update_channel(**{**rename, "Mode": "UNRESTRICTED"}, ChimeBearer=bob)
    assert code_of(app_instance.messaging.create_channel_membership, **add, ChimeBearer=ann) == ""


@pytest.mark.parametrize("mode", ["RESTRICTED", "UNRESTRICTED"])
def test_only_default_members_send(app_instance: AppInstanceUnderTest, mode: str) -> None:
    """In both modes DEFAULT members send; hidden ones, and moderators and admins who are no members, may not."""
    ann, bob, eve = (app_instance.user(name) for name in ("ann", "bob", "eve"))
    arn = app_instance.channel(Mode=mode, MemberArns=[ann])
    here = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_membership(**here, MemberArn=bob, Type="HIDDEN")
    app_instance.messaging.create_channel_moderator(**here, ChannelModeratorArn=eve)
    if "eve" in app_instance.members(arn):  # where moderators become members
        app_instance.messaging.delete_channel_membership(**here, MemberArn=eve)
    app_instance.messaging.delete_channel_membership(**here, MemberArn=app_instance.boss)
    send = app_instance.messaging.send_channel_message
    assert [code_of(send, **message(arn, who)) for who in (ann, bob, eve, app_instance.boss)] == [
        "",
        *["Forbidden"] * 3,
    ]
    app_instance.messaging.create_channel_membership(**here, MemberArn=eve, Type="DEFAULT")
    assert code_of(send, **message(arn, eve)) == ""


def test_hidden_members_read_but_cannot_send(app_instance: AppInstanceUnderTest) -> None:
    """A HIDDEN member cannot send but lists what is said."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    here = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_membership(**here, MemberArn=ann, Type="HIDDEN")
    app_instance.send(arn, app_instance.boss, "news")
    listed = app_instance.retry(app_instance.messaging.list_channel_messages, ChannelArn=arn, ChimeBearer=ann)
    assert [one["Content"] for one in listed["ChannelMessages"]] == ["news"]


def test_hidden_members_are_listed_for_moderators_and_admins(app_instance: AppInstanceUnderTest) -> None:
    """Who is HIDDEN is shown to moderators and admins, not to members, in public channels, too."""
    ann, bob, eve = (app_instance.user(name) for name in ("ann", "bob", "eve"))
    for privacy in ("PRIVATE", "PUBLIC"):
        arn = app_instance.channel(MemberArns=[ann], Privacy=privacy)
        here = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
        app_instance.messaging.create_channel_membership(**here, MemberArn=eve, Type="HIDDEN")
        app_instance.messaging.create_channel_moderator(**here, ChannelModeratorArn=bob)
        assert app_instance.members(arn, "HIDDEN") == {"eve"}
        listing = app_instance.messaging.list_channel_memberships
        codes = [code_of(listing, ChannelArn=arn, Type="HIDDEN", ChimeBearer=who) for who in (bob, ann, eve)]
        assert codes == ["", "Forbidden", "Forbidden"]
        assert code_of(listing, ChannelArn=arn, Type="DEFAULT", ChimeBearer=ann) == ""


def test_public_channels_are_read_by_everybody(app_instance: AppInstanceUnderTest) -> None:
    """A stranger reads a PUBLIC channel, its members and messages, but neither sends nor lists who moderates it."""
    ann, arn = app_instance.user("ann"), app_instance.channel(Privacy="PUBLIC")
    said = app_instance.send(arn, app_instance.boss, "news")
    here = {"ChannelArn": arn, "ChimeBearer": ann}
    api = app_instance.messaging
    assert app_instance.retry(api.describe_channel, **here)["Channel"]["ChannelArn"] == arn
    members = app_instance.retry(api.list_channel_memberships, **here)["ChannelMemberships"]
    assert [one["Member"]["Arn"] for one in members] == [app_instance.boss]
    member = app_instance.retry(api.describe_channel_membership, **here, MemberArn=app_instance.boss)[
        "ChannelMembership"
    ]
    assert member["Type"] == "DEFAULT"
    messages = app_instance.retry(api.list_channel_messages, **here)["ChannelMessages"]
    assert [one["Content"] for one in messages] == ["news"]
    assert (
        app_instance.retry(api.get_channel_message, **here, MessageId=said)["ChannelMessage"]["Content"] == "news"
    )
    assert code_of(api.send_channel_message, **message(arn, ann)) == "Forbidden"
    assert [code_of(call, **here) for call in (api.list_channel_moderators, api.list_channel_bans)] == [
        "Forbidden",
        "Forbidden",
    ]


def test_moderators_are_made_by_admins_and_by_moderators_who_are_members(
    app_instance: AppInstanceUnderTest,
) -> None:
    """A moderator makes moderators once it has a membership of its own; an admin needs none."""
    ann, bob, eve, tom = (app_instance.user(name) for name in ("ann", "bob", "eve", "tom"))
    arn = app_instance.channel(MemberArns=[ann])
    boss = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_moderator(**boss, ChannelModeratorArn=bob)
    if "bob" in app_instance.members(arn):  # where moderators become members
        app_instance.messaging.delete_channel_membership(**boss, MemberArn=bob)
    make = app_instance.messaging.create_channel_moderator
    here = {"ChannelArn": arn, "ChannelModeratorArn": eve}
    assert [code_of(make, **here, ChimeBearer=who) for who in (ann, bob)] == ["Forbidden", "Forbidden"]
    assert app_instance.moderators(arn) == {"boss", "bob"}
    app_instance.messaging.create_channel_membership(**boss, MemberArn=bob, Type="DEFAULT")
    assert code_of(make, **here, ChimeBearer=bob) == ""
    app_instance.messaging.delete_channel_membership(**boss, MemberArn=app_instance.boss)
    assert code_of(make, **boss, ChannelModeratorArn=tom) == ""
    assert app_instance.moderators(arn) == {"boss", "bob", "eve", "tom"}


def test_messages_are_deleted_by_admins_and_redacted_by_moderators(app_instance: AppInstanceUnderTest) -> None:
    """Only an admin deletes; moderators redact any message, members their own; nothing of it is left."""
    ann, bob, eve = (app_instance.user(name) for name in ("ann", "bob", "eve"))
    arn = app_instance.channel(MemberArns=[ann, eve])
    app_instance.messaging.create_channel_moderator(
        ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=app_instance.boss
    )
    first, second, third = (app_instance.send(arn, ann, content) for content in ("one", "two", "three"))
    here = {"ChannelArn": arn, "MessageId": first}
    delete, redact = app_instance.messaging.delete_channel_message, app_instance.messaging.redact_channel_message
    assert [code_of(delete, **here, ChimeBearer=who) for who in (ann, bob)] == ["Forbidden", "Forbidden"]
    assert [code_of(redact, **here, ChimeBearer=who) for who in (eve, bob)] == ["Forbidden", ""]
    assert code_of(redact, ChannelArn=arn, MessageId=second, ChimeBearer=ann) == ""
    seen = app_instance.retry(app_instance.messaging.get_channel_message, **here, ChimeBearer=app_instance.boss)[
        "ChannelMessage"
    ]
    assert (seen["Redacted"], seen.get("Content", "")) == (True, "")
    assert code_of(delete, ChannelArn=arn, MessageId=third, ChimeBearer=app_instance.boss) == ""
    assert app_instance.contents(arn) == ["", ""]


def test_messages_are_updated_by_their_sender(app_instance: AppInstanceUnderTest) -> None:
    """Nobody but its sender changes a message, admins included."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(MemberArns=[ann])
    change = {"ChannelArn": arn, "MessageId": app_instance.send(arn, ann), "Content": "changed"}
    update = app_instance.messaging.update_channel_message
    assert [code_of(update, **change, ChimeBearer=who) for who in (app_instance.boss, ann)] == ["Forbidden", ""]
    assert app_instance.contents(arn) == ["changed"]


def test_moderators_and_bans_are_not_listed_for_members(app_instance: AppInstanceUnderTest) -> None:
    """Admins and moderators list moderators and bans; members may not."""
    ann, bob = app_instance.user("ann"), app_instance.user("bob")
    arn = app_instance.channel(MemberArns=[ann])
    app_instance.messaging.create_channel_moderator(
        ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=app_instance.boss
    )
    for listing in (app_instance.messaging.list_channel_moderators, app_instance.messaging.list_channel_bans):
        app_instance.retry(listing, ChannelArn=arn, ChimeBearer=bob)
        assert [code_of(listing, ChannelArn=arn, ChimeBearer=who) for who in (ann, app_instance.boss)] == [
            "Forbidden",
            "",
        ]
    describe = app_instance.messaging.describe_channel_moderator
    here = {"ChannelArn": arn, "ChannelModeratorArn": bob}
    app_instance.retry(describe, **here, ChimeBearer=bob)
    assert code_of(describe, **here, ChimeBearer=ann) == "Forbidden"


def test_admins_and_moderators_cannot_be_banned(app_instance: AppInstanceUnderTest) -> None:
    """Nobody bans an admin or a moderator of the channel."""
    ann, bob = app_instance.user("ann"), app_instance.user("bob")
    arn = app_instance.channel(MemberArns=[ann])
    here = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_moderator(**here, ChannelModeratorArn=bob)
    ban = app_instance.messaging.create_channel_ban
    for who in (bob, app_instance.boss):
        assert code_of(ban, **here, MemberArn=who) in ("BadRequest", "Forbidden", "Conflict")
    app_instance.messaging.delete_channel_moderator(**here, ChannelModeratorArn=bob)
    assert [code_of(ban, **here, MemberArn=who) for who in (ann, bob)] == ["", ""]


def test_channels_without_privacy_are_listed_by_role(app_instance: AppInstanceUnderTest) -> None:
    """Without Privacy an admin is shown every channel, others the public ones."""
    ann = app_instance.user("ann")
    public, private = app_instance.channel(Privacy="PUBLIC"), app_instance.channel(MemberArns=[ann])
    listed = []
    for who in (app_instance.boss, ann):
        channels = app_instance.messaging.list_channels(AppInstanceArn=app_instance.app, ChimeBearer=who)[
            "Channels"
        ]
        listed.append({one["ChannelArn"] for one in channels})
    assert listed == [{public, private}, {public}]


def test_channels_of_another_user_are_listed_for_admins(app_instance: AppInstanceUnderTest) -> None:
    """Only an AppInstanceAdmin lists the channels that another user is a member of."""
    ann, bob = app_instance.user("ann"), app_instance.user("bob")
    arn = app_instance.channel(MemberArns=[ann])
    listing = {"AppInstanceUserArn": ann, "ChimeBearer": bob}
    call = app_instance.messaging.list_channel_memberships_for_app_instance_user
    assert code_of(call, **listing) == "Forbidden"
    for who in (ann, app_instance.boss):
        shown = call(**{**listing, "ChimeBearer": who})["ChannelMemberships"]
        assert [one["ChannelSummary"]["ChannelArn"] for one in shown] == [arn]


def test_deleted_user_is_nothing_in_any_channel(app_instance: AppInstanceUnderTest) -> None:
    """Deleting a user ends memberships, moderatorships and bans; who comes back under the name is a stranger."""
    ann = app_instance.user("ann")
    member, moderated, banned = (
        app_instance.channel(MemberArns=[ann]),
        app_instance.channel(),
        app_instance.channel(),
    )
    boss = {"ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_moderator(ChannelArn=moderated, ChannelModeratorArn=ann, **boss)
    app_instance.messaging.create_channel_ban(ChannelArn=banned, MemberArn=ann, **boss)
    app_instance.identity.delete_app_instance_user(AppInstanceUserArn=ann)
    assert [app_instance.members(arn) for arn in (member, moderated)] == [{"boss"}, {"boss"}]
    assert app_instance.moderators(moderated) == {"boss"}
    bans = app_instance.retry(app_instance.messaging.list_channel_bans, ChannelArn=banned, **boss)["ChannelBans"]
    assert bans == []
    app_instance.user("ann")
    describe = {"ChannelArn": member, "ChimeBearer": ann}
    assert code_of(app_instance.messaging.describe_channel, **describe) in ("Forbidden", "NotFound")


def test_private_channels_are_listed_for_admins(app_instance: AppInstanceUnderTest) -> None:
    """Only an AppInstanceAdmin lists private channels."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    private = {"AppInstanceArn": app_instance.app, "Privacy": "PRIVATE"}
    assert code_of(app_instance.messaging.list_channels, **private, ChimeBearer=ann) == "Forbidden"
    listed = app_instance.messaging.list_channels(**private, ChimeBearer=app_instance.boss)["Channels"]
    assert [one["ChannelArn"] for one in listed] == [arn]


def test_bearer_that_does_not_exist_is_a_401(app_instance: AppInstanceUnderTest) -> None:
    """A bearer that does not exist is a 401, in words that name the header."""
    with pytest.raises(ClientError) as caught:
        app_instance.messaging.create_channel(
            AppInstanceArn=app_instance.app,
            Name="n",
            ClientRequestToken=token(),
            ChimeBearer=f"{app_instance.app}/user/nobody",
        )
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (
        "UnauthorizedClientException",
        401,
    )
    assert "x-amz-chime-bearer" in answer["Error"]["Message"]


def test_expiration_is_set_changed_and_removed(app_instance: AppInstanceUnderTest) -> None:
    """Expiration is set with creation, changed, and taken away by a call without settings."""
    days = {"ExpirationDays": 3, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    arn = app_instance.channel(ExpirationSettings=days)
    assert app_instance.settled(arn)["ExpirationSettings"] == days
    here = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.put_channel_expiration_settings(**here, ExpirationSettings={**days, "ExpirationDays": 4})
    assert app_instance.settled(arn)["ExpirationSettings"]["ExpirationDays"] == 4
    app_instance.messaging.put_channel_expiration_settings(**here)
    assert "ExpirationSettings" not in app_instance.settled(arn)


ELASTIC = {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 2, "MinimumMembershipPercentage": 10}


def test_elastic_channel_is_restricted_empty_and_the_only_one(app_instance: AppInstanceUnderTest) -> None:
    """An elastic channel is RESTRICTED, begins without members, and is the only one of its app instance."""
    create: Callable[..., Any] = app_instance.messaging.create_channel

    def refused(**more: Any) -> str:
        given = {
            "AppInstanceArn": app_instance.app,
            "Name": "n",
            "ChimeBearer": app_instance.boss,
            "Mode": "RESTRICTED",
        }
        return code_of(create, ClientRequestToken=token(), ElasticChannelConfiguration=ELASTIC, **{**given, **more})

    assert refused(Mode="UNRESTRICTED") == "BadRequest"
    assert refused(MemberArns=[app_instance.user("ann")]) == "BadRequest"
    arn = app_instance.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    assert app_instance.settled(arn)["ElasticChannelConfiguration"] == ELASTIC
    assert refused() == "ResourceLimitExceeded"


def test_elastic_channel_is_created_once_with_one_token(app_instance: AppInstanceUnderTest) -> None:
    """The same request again is answered with the channel that it made, not refused as a second elastic channel."""
    request = {
        "AppInstanceArn": app_instance.app,
        "Name": "n",
        "Mode": "RESTRICTED",
        "ClientRequestToken": token(),
        "ElasticChannelConfiguration": ELASTIC,
        "ChimeBearer": app_instance.boss,
    }
    first, second = (app_instance.messaging.create_channel(**request)["ChannelArn"] for _ in range(2))
    assert first == second


def test_elastic_channel_drops_the_membership_of_a_changed_moderator(app_instance: AppInstanceUnderTest) -> None:
    """On an elastic channel, becoming a moderator ends the membership, and so does to be none any more."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    here = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.create_channel_membership(**here, MemberArn=ann, Type="DEFAULT")
    app_instance.messaging.create_channel_moderator(**here, ChannelModeratorArn=ann)
    assert "ann" not in app_instance.members(arn)
    assert "ann" in app_instance.moderators(arn)
    member = {**here, "MemberArn": ann, "Type": "DEFAULT"}
    assert code_of(app_instance.messaging.create_channel_membership, **member) == "BadRequest", (
        "wants a SubChannelId"
    )
    batch = app_instance.messaging.batch_create_channel_membership(**here, MemberArns=[ann])
    assert [one["MemberArn"] for one in batch["Errors"]] == [ann]
    app_instance.messaging.delete_channel_moderator(**here, ChannelModeratorArn=ann)
    assert "ann" not in app_instance.members(arn)


def test_elastic_moderators_need_not_be_members(app_instance: AppInstanceUnderTest) -> None:
    """A moderator of an elastic channel is one from the beginning, without being a member."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC, ModeratorArns=[ann])
    assert (app_instance.moderators(arn), app_instance.members(arn)) == ({"boss", "ann"}, set())


def test_elastic_channels_have_no_hidden_members(app_instance: AppInstanceUnderTest) -> None:
    """On an elastic channel nobody becomes a HIDDEN member, one by one or in a batch."""
    ann = app_instance.user("ann")
    arn = app_instance.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    here = {"ChannelArn": arn, "ChimeBearer": app_instance.boss, "Type": "HIDDEN"}
    assert code_of(app_instance.messaging.create_channel_membership, **here, MemberArn=ann) == "BadRequest"
    assert code_of(app_instance.messaging.batch_create_channel_membership, **here, MemberArns=[ann]) == "BadRequest"


def test_flow_in_use_cannot_be_deleted(app_instance: AppInstanceUnderTest) -> None:
    """A flow in use cannot be deleted; once it is disassociated it can."""
    arn, flow = app_instance.channel(), app_instance.flow()
    here = {"ChannelArn": arn, "ChannelFlowArn": flow, "ChimeBearer": app_instance.boss}
    app_instance.messaging.associate_channel_flow(**here)
    assert app_instance.settled(arn)["ChannelFlowArn"] == flow
    assert code_of(app_instance.messaging.delete_channel_flow, ChannelFlowArn=flow)
    app_instance.messaging.disassociate_channel_flow(**here)
    assert code_of(app_instance.messaging.delete_channel_flow, ChannelFlowArn=flow) == ""


def test_retention_is_in_days_and_switched_off_by_empty_settings(app_instance: AppInstanceUnderTest) -> None:
    """Retention is in days; empty settings switch it off."""
    settings: list[dict[str, Any]] = [
        {"ChannelRetentionSettings": {"RetentionDays": 30}},
        {"ChannelRetentionSettings": {}},
    ]
    for given in settings:
        app_instance.identity.put_app_instance_retention_settings(
            AppInstanceArn=app_instance.app, AppInstanceRetentionSettings=given
        )
        answer = app_instance.identity.get_app_instance_retention_settings(AppInstanceArn=app_instance.app)
        assert answer["AppInstanceRetentionSettings"] == given


@pytest.mark.parametrize("case", ["name", "region", "account"])
def test_stream_must_be_named_chime_messaging_and_be_near(app_instance: AppInstanceUnderTest, case: str) -> None:
    """A stream must be named chime-messaging-… and be in the app instance's region and account."""
    account = "999999999999" if case == "account" else app_instance.app.split(":")[4]
    region = "eu-west-1" if case == "region" else app_instance.region
    stream = "stream/other" if case == "name" else "stream/chime-messaging-x"
    configurations = [{"DataType": "Channel", "ResourceArn": f"arn:aws:kinesis:{region}:{account}:{stream}"}]
    put = app_instance.messaging.put_messaging_streaming_configurations
    assert code_of(put, AppInstanceArn=app_instance.app, StreamingConfigurations=configurations) in (
        "BadRequest",
        "Forbidden",
        "NotFound",
    )
    get = app_instance.messaging.get_messaging_streaming_configurations
    assert code_of(get, AppInstanceArn=app_instance.app) == "NotFound"


def test_app_instance_is_seen_in_its_own_region_only(app_instances: Callable[[str], AppInstanceUnderTest]) -> None:
    """An app instance is seen in its own region only."""
    here, there = app_instances("us-east-1"), app_instances("eu-central-1")
    assert there.app.split(":")[3] == "eu-central-1"
    assert code_of(here.identity.describe_app_instance, AppInstanceArn=there.app) in (
        "BadRequest",
        "Forbidden",
        "NotFound",
    )


def test_admin_manages_until_the_right_is_removed(app_instance: AppInstanceUnderTest) -> None:
    """Who is made an admin twice is a Conflict; who is no admin any more cannot manage."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    admin = {"AppInstanceArn": app_instance.app, "AppInstanceAdminArn": ann}
    app_instance.identity.create_app_instance_admin(**admin)
    assert code_of(app_instance.identity.create_app_instance_admin, **admin) == "Conflict"
    rename = {"ChannelArn": arn, "Name": "n", "Mode": "RESTRICTED", "ChimeBearer": ann}
    app_instance.retry(app_instance.messaging.update_channel, AWS_IDENTITY_LAG, **rename)
    app_instance.identity.delete_app_instance_admin(**admin)
    assert code_of(app_instance.messaging.update_channel, **rename) == "Forbidden"


def test_expiration_of_a_user_is_set_and_shown(app_instance: AppInstanceUnderTest) -> None:
    """A user's expiration is set and shown."""
    days = {"ExpirationDays": 3, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    ann = app_instance.user("ann")
    app_instance.identity.put_app_instance_user_expiration_settings(AppInstanceUserArn=ann, ExpirationSettings=days)
    shown = app_instance.identity.describe_app_instance_user(AppInstanceUserArn=ann)["AppInstanceUser"]
    assert shown["ExpirationSettings"] == days
